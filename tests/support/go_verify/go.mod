module postseal.test/verify

go 1.26
