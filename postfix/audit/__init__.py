"""Say of a Postfix host as it is what is wrong, and what will be: facts in, findings out; nothing is changed."""
