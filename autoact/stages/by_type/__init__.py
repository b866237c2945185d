"""Self-instruct by question type: facts that the model extracts from a corpus and confirms, and questions made of them.

Read in this order: clauses (the statements of a page), lead (what the first sentence of an encyclopedia page says
besides), openings (the first words of questions about a clause), readers (what a question asks, and whether the clause
says it), facts (the model writes and confirms one-hop questions), composition (two-hop, comparison and yes/no
questions), practice (shares, balance, repetition), stage. The rules are for English texts; of others they accept
little.
"""
