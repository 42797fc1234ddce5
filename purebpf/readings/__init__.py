"""What is read of whole maps, in the kernel and in the VM alike: ranks, histograms, changes over time, flame graphs."""
