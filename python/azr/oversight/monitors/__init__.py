"""The monitors that azr ships: one file each."""
