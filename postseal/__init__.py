"""The part that joins PKI and Postfix: stack file, plugin entry point, report."""
