"""The exchange: how nodes tell each other of their memories, through one shared log."""
