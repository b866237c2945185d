"""Tool sets as files: export without secrets, import with consent."""
