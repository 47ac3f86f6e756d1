"""The family `muscall`: a convolutional audio tower and a causal text transformer.

Architecture after Manco et al., "Contrastive audio-language learning for music", ISMIR 2022, with
all sizes configurable; parameters carry the names of the public code's checkpoints.
"""
