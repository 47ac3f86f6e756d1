"""listenread: does an audio-text model listen, and does it read?"""

__version__ = "0.1.0"
