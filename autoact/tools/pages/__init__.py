"""Pages to retrieve and search: a corpus, the files of data sets, Wikipedia and ZIM archives."""
