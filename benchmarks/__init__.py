"""Speed, measured. Figures are ratios within one run on one machine; nothing here is a test."""
