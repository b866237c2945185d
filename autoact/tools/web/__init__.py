"""The open web, with care: who may be reached, how politely, and the search engines and encyclopedias asked."""
