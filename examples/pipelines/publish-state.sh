#!/bin/sh
# Publish a stack's state without its ciphertext on the branch `state`, for reviews that have no secret.
# Usage: publish-state.sh STACK, in a clone that may push, after `pulumi up`.
set -eu
stack=$1
work=$(mktemp -d)
trap 'git worktree remove --force "$work/tree" 2>/dev/null || true; rm -rf "$work"' EXIT

pulumi stack export --stack "$stack" | postseal review --blank - --output "$work/$stack.json"

if git fetch --quiet origin state 2>/dev/null; then
    git worktree add --quiet --detach "$work/tree" FETCH_HEAD
else
    git worktree add --quiet --detach "$work/tree" "$(git commit-tree -m "Keep the state" "$(git mktree </dev/null)")"
fi
cp "$work/$stack.json" "$work/tree/$stack.json"
cd "$work/tree"
git add "$stack.json"
git diff --cached --quiet || git commit --quiet --message "State of $stack"
git push --quiet origin HEAD:refs/heads/state
