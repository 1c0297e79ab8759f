"""RTMP as a server of publishers needs it, without sockets: bytes in, events and bytes out.

ffmpeg can listen for RTMP itself, but it lets in whoever connects, whatever the stream key (it only warns), takes the
key on its command line for every user of the machine to read, and frees the port whenever an encoder leaves.
"""
