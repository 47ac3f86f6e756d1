"""Log-mel front-end of the CLAP audio towers, with the mel filters that they were trained with."""

import torch
from torch import Tensor, nn

from listenread.models.clap.sizes import FrontEndSizes

#: Smallest power that is told from silence, in LAION-CLAP and in transformers' feature extractor.
SMALLEST_POWER = 1e-10


class LogMel(nn.Module):
    """Waveforms of shape (batch, samples) to decibels of shape (batch, 1, frames, mel_bins).

    Both the window and the filters come with the model's weights: computing the filters with
    another library is off by 1e-3 dB, and the wrong scale is off by enough to change every vector.
    """

    window: Tensor
    mel_filters: Tensor

    def __init__(self, sizes: FrontEndSizes):
        super().__init__()
        self.sizes = sizes
        self.register_buffer("window", torch.hann_window(sizes.n_fft))
        self.register_buffer("mel_filters", torch.zeros(sizes.n_fft // 2 + 1, sizes.mel_bins))

    def forward(self, waveforms: Tensor) -> Tensor:
        """Compute the log-mel spectrograms of a batch, in float32 whatever the precision around."""
        with torch.autocast(waveforms.device.type, enabled=False):
            spectrum = torch.stft(
                waveforms.float(),
                self.sizes.n_fft,
                self.sizes.hop,
                window=self.window,
                center=True,
                pad_mode="reflect",
                return_complex=True,
            )  # (batch, n_fft / 2 + 1, frames)
            power = torch.view_as_real(spectrum).square().sum(-1).transpose(1, 2)
            mel = torch.matmul(power, self.mel_filters)  # (batch, frames, mel_bins)
            decibels = 10.0 * torch.log10(mel.clamp_min(SMALLEST_POWER))
            return decibels.unsqueeze(1)  # (batch, 1, frames, mel_bins)
