"""The StreamrP2P protocol and SDK: what every actor shares."""
