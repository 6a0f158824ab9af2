"""The kernel "Helix Lab": `hx`, the magics, and the provisioner that tells it where the lab is."""
