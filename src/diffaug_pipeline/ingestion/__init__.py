"""From whatever the user has to one image set with splits, and a report of what was found and refused."""
