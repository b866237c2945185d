"""Ways to answer a question, one script each; `autoact.registry.methods` lists them."""
