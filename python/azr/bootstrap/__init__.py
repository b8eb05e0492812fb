"""Where the embedded model comes from: a seeded grammar of small programs, run in the sandbox. No outside data."""
