"""Text recipes that run a project on other machines; `autoact recipe NAME` prints one."""
