"""What joins the PKI and Postfix: the stack file, the plugin's entry point, and the report."""
