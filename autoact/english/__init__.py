"""What rules read from English texts: the forms of answers, the forms of verbs, and what a text says of a subject."""
