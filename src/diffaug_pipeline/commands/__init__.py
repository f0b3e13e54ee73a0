"""`kedro <command>`: a module per command, named after it. Nothing heavy is imported until one is called."""
