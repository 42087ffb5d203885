"""The error tree: every failure a user can meet has a stable code, a message and a hint."""

from typing import ClassVar


class NmrshiftError(Exception):
    """Base of all errors raised on purpose by nmrshift.

    Attributes:
        code: stable, machine-readable name of the failure.
        hint: what the user can do about it.
    """

    code: ClassVar[str] = "error"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint


class InputError(NmrshiftError, ValueError):
    """A molecule that cannot be predicted; the base of all per-molecule errors."""

    code = "input_error"


class InvalidTextError(InputError):
    """The text is not one molecule's SMILES, InChI or molblock."""

    code = "invalid_text"
    default_hint = "Send one SMILES, InChI or molblock in plain ASCII without extra words."


class ParseError(InputError):
    """The text looks like a molecule but breaks the rules of its format or of valence."""

    code = "parse_error"
    default_hint = "Check brackets, ring closures, charges and valences."


class TooLargeError(InputError):
    """The molecule or its text is above the published limits."""

    code = "too_large"
    default_hint = "See the limits in the documentation; split mixtures into molecules."


class UnsupportedElementError(InputError):
    """The molecule holds an element or an atom type that no training spectrum covers."""

    code = "unsupported_element"
    default_hint = "See the list of supported elements; metals and dummy atoms are refused."


class NoTargetAtomsError(InputError):
    """No atom of the molecule carries any of the nuclei asked for."""

    code = "no_target_atoms"
    default_hint = "Ask for a nucleus that the molecule contains."


class UnknownNucleusError(NmrshiftError, ValueError):
    """The model does not predict this nucleus."""

    code = "unknown_nucleus"
    default_hint = "`nmrshift doctor` lists the nuclei of the model."


class RecordError(NmrshiftError, ValueError):
    """A spectrum record that cannot be used."""

    code = "record_error"


class LaboratoryError(NmrshiftError, ValueError):
    """A laboratory's spectra from which a model cannot learn as they are."""

    code = "laboratory_data"


class NoUsableRecordError(LaboratoryError):
    """None of the rows is a measured spectrum."""

    code = "no_usable_record"
    default_hint = "`nmrshift data import` reports every row that it cannot read, and why."


class TooFewSpectraError(LaboratoryError):
    """Too few spectra, or spectra of too few molecules, to learn from and to measure on."""

    code = "too_few_spectra"


class TooFewContributorsError(LaboratoryError):
    """Spectra of too few contributors for any of them to be hidden among the others."""

    code = "too_few_contributors"


class NoContributorError(LaboratoryError):
    """Spectra of which nothing says whose they are."""

    code = "contributor_missing"


class HertzError(LaboratoryError):
    """Shifts far outside of their nucleus' range, as in Hz."""

    code = "shifts_in_hz"
    default_hint = "Divide by the spectrometer's frequency for this nucleus in MHz."


class FlippedSignError(LaboratoryError):
    """Shifts that fit once their sign is changed."""

    code = "sign_flipped"
    default_hint = "Change the sign of every shift: on this scale higher frequency is positive."


class WrongAtomsError(LaboratoryError):
    """Shifts that stand on other atoms than they were measured on."""

    code = "wrong_atoms"


class PeakTextError(NmrshiftError, ValueError):
    """A measured peak list that cannot be read without guessing.

    The message repeats nothing of the text.

    Attributes:
        position: index of the character, from 0, where reading stopped, if there is such a place.
    """

    code = "peak_text"
    default_hint = "Write it like: 13C NMR (101 MHz, CDCl3): 170.1, 137.2 (d, J = 245.0 Hz), 21.0."

    def __init__(
        self, message: str, *, hint: str | None = None, position: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.position = position


class FileFormatError(NmrshiftError, ValueError):
    """A file that cannot be read as the format it claims to be."""

    code = "file_format"


class ConfigError(NmrshiftError, ValueError):
    """A configuration file with a missing, unknown or impossible setting."""

    code = "config_error"


class BudgetError(ConfigError):
    """A privacy budget that is spent, or too small for the contributors there are."""

    code = "privacy_budget"


class ExchangeError(NmrshiftError, ValueError):
    """A file of a federation that is missing, altered, or of another round or federation."""

    code = "exchange_refused"


class FolderTakenError(ConfigError):
    """A folder to be written that exists already."""

    code = "folder_taken"
    default_hint = "Name another folder, or replace the model in it with --force."


class ArtifactError(NmrshiftError, RuntimeError):
    """A model folder that is incomplete, altered or made for another version."""

    code = "artifact_error"
    default_hint = "Fetch the model folder again; `nmrshift doctor` verifies it."


class DrawingError(NmrshiftError, ValueError):
    """A prediction of which no picture can be made."""

    code = "drawing_failed"
    default_hint = "Ask for the numbers instead, with `nmrshift predict`."


class DeadlineError(NmrshiftError, TimeoutError):
    """Work on one molecule that took longer than it may, and was stopped."""

    code = "timeout"
    default_hint = "Ask for the numbers instead, with `nmrshift predict`."


class OutputError(NmrshiftError, ValueError):
    """An answer that cannot be written in the form asked for."""

    code = "output_failed"
    default_hint = "Ask for jsonl or csv, which hold every answer."


class MissingExtraError(NmrshiftError, ImportError):
    """A package that only some users need, and that is not installed."""

    code = "missing_extra"


class ResumeError(NmrshiftError, ValueError):
    """A run that was begun with other input, another model, other versions or other options."""

    code = "resume_mismatch"
    default_hint = "Run it as it was begun, or name another folder."


class BatchError(NmrshiftError, RuntimeError):
    """A run of many molecules that had to stop; the parts it finished are kept."""

    code = "batch_stopped"
    default_hint = "Run the same command with --resume; finished parts are not predicted again."


class WorkerCrashError(InputError):
    """A molecule over which the process that read it died, or failed in an unforeseen way."""

    code = "crashed"
    default_hint = "Send another notation of the structure; report it if it is an ordinary one."


class ServiceError(NmrshiftError, RuntimeError):
    """A service that could not be reached, or that refused a request.

    Attributes:
        problem: code of the refusal, if it had one.
    """

    code = "service_error"
    default_hint = "Check the address, the key and the settings; the service's log says more."

    def __init__(
        self, message: str, *, hint: str | None = None, problem: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem
