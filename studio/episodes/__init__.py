"""Episodes for people: lists, transcripts, and the documents that show them."""
