"""Every speed that the documents claim, one module and one command each."""
