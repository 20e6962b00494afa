module postseal.test/authority

go 1.26
