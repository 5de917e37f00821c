# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The parts of bench/compare; bench/scenarios/run uses some of them too."""
