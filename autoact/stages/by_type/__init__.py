"""Self-instruct by question type: facts that the model extracts from a corpus and confirms, and questions made of them.

Read in this order: clauses (the sentences of a page), forms (what a question asks and whether the sentence says it),
facts (the model writes and confirms one-hop questions), composition (two-hop, comparison and yes/no questions), stage.
The rules are for English texts; of others they accept little.
"""
