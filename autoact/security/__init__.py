"""Protection from untrusted projects, texts and hosts.

trust.py holds the rules for projects and runs from elsewhere; secrets.py stores secrets and hides them in texts;
grants.py holds which secret may go to which host; untrusted_text.py sanitises text for a terminal; child_process.py
starts Python without the working folder on its path. Every package may import this one. Begin with trust.py.
"""
