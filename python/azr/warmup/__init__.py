"""Fine-tuning on the form of tasks and answers, from programs of a grammar that the sandbox ran. No outside data."""
