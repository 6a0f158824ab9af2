"""Knowledge: the things that texts name, which names mean one thing, and how they relate."""
