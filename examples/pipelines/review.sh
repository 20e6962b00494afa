#!/bin/sh
# Review what a revision would change of a stack; needs no engine, no passphrase and no key.
# Usage: review.sh STACK OLD NEW, in a clone that knows both revisions and has fetched the branch `state`.
# Ends with 0 whether something changes or not, with 2 where `pulumi up` would refuse it, with 3 where nobody can tell.
set -eu
stack=$1 old=$2 new=$3
file="stacks/Pulumi.$stack.yaml"
code=0
git show "origin/state:$stack.json" |
    postseal review --state - --from "$old:$file" --to "$new:$file" || code=$?
[ "$code" -eq 1 ] && code=0
exit "$code"
