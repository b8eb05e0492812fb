"""How the embedded model is made: a seeded grammar of small programs, run in the sandbox. No outside data."""
