"""What every runtime of one machine uses: the way out, limits, probes, variables, and the programs that run inside."""
