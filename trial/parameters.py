"""The numbers of a protocol and its analysis plan, seeded with those of MT103-211 (STUDY A.2)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the derivations need to know of a study. Days are whole days, doses µg a day, counts 10^9/L."""

    enrolled_from: date = date(2012, 1, 1)
    data_cutoff: date = date(2016, 12, 31)
    days_on: int = 28
    days_off: int = 14
    most_cycles: int = 5
    first_step_dose: Decimal = Decimal(9)
    first_step_days: int = 7
    full_dose: Decimal = Decimal(28)
    response_cycles: int = 2
    response_grace_days: int = 14
    count_window_before_days: int = 3
    count_window_after_days: int = 7
    uses_cri: bool = False
    mrd_cut: float = 1e-4
    emergent_days_after_last_dose: int = 30
    landmark_days: int = 84
    completed_cycle_days: Decimal = Decimal(27)
    confidence: float = 0.95
    survival_landmarks_months: tuple[int, ...] = (6, 12, 24, 36)

    def planned_dose(self, cycle: int) -> Decimal:
        """The planned amount of one cycle in µg: 651 in cycle 1, 784 later (STUDY A.1)."""
        if cycle > 1:
            return self.full_dose * self.days_on
        return self.first_step_dose * self.first_step_days + self.full_dose * (self.days_on - self.first_step_days)
