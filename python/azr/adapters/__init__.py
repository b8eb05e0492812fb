"""azr's sandbox as the reward function of other trainers, one file each."""
