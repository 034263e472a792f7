"""What a person looks at: pictures of a run, pages of probe reports."""

from spokesmith.report.page import page
from spokesmith.report.pictures import layer_heat_maps, loss_curve
from spokesmith.report.results import results_page

__all__ = ["layer_heat_maps", "loss_curve", "page", "results_page"]
