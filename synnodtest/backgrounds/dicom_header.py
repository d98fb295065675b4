"""Allow-list over DICOM headers: frontal chest radiographs for presentation, pixels untouched."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synnodtest.backgrounds.columns import years
from synnodtest.class_names import without_accents

MODALITIES = ("CR", "DX")
NOTED_MODALITIES = ("RG", "SC", "OT")
"""Scanned film and secondary captures: taken, with a note, because such files were often processed for the screen."""
SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray, for presentation",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.2": "Grayscale Byte Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.3": "Grayscale Word Secondary Capture",
}
BODY_PARTS = ("CHEST", "THORAX", "THORACIC", "TORAX", "TORACE", "LUNG", "LUNGS", "LUNGE", "POUMONS", "PULMONARY")
OTHER_PARTS = (
    "HAND", "HANDS", "WRIST", "FINGER", "THUMB", "FOREARM", "ELBOW", "HUMERUS", "SHOULDER", "CLAVICLE", "FOOT", "FEET",
    "ANKLE", "TOE", "TOES", "KNEE", "KNEES", "TIBIA", "FEMUR", "HIP", "HIPS", "PELVIS", "ABDOMEN", "ABD", "KUB",
    "SKULL", "SINUS", "SINUSES", "FACIAL", "MANDIBLE", "TEETH", "DENTAL", "PANORAMIC", "SPINE", "CSPINE", "TSPINE",
    "LSPINE", "LUMBAR", "CERVICAL", "SACRUM", "HANDGELENK", "ELLENBOGEN", "SCHULTER", "FUSS", "KNIE", "HUFTE", "BECKEN",
    "SCHADEL", "WIRBELSAULE", "HWS", "BWS", "LWS", "POIGNET", "EPAULE", "COUDE", "GENOU", "HANCHE", "BASSIN", "CRANE",
    "RACHIS", "MANO", "MUNECA", "HOMBRO", "CODO", "RODILLA", "CADERA", "CRANEO", "COLUMNA",
)  # fmt: skip
"""Words of a free text for a part that is no chest, without accents, where no tag of its own gives the part."""
FRONTAL = ("PA", "AP", "FRONTAL", "POSTEROANTERIOR", "ANTEROPOSTERIOR")
POSTURES = (
    "SUPINE", "ERECT", "UPRIGHT", "SEMI", "PORTABLE", "PORT", "MOBILE", "BEDSIDE", "SITTING", "STANDING", "CHEST",
    "THORAX", "LUNG", "LUNGS", "VIEW", "PROJECTION", "INSPIRATION", "EXPIRATION", "GRID",
)  # fmt: skip
"""Words that may stand beside those of :data:`FRONTAL` in a view."""
FRONTAL_CODES = ("399348003", "272479007", "399033003", "R-10206", "R-10214")
"""Antero-posterior, postero-anterior and frontal in SNOMED CT, the first two also in SNOMED RT (DICOM CID 4010)."""
INTENTS = ("FOR PRESENTATION",)
ORIENTATION = ("L", "F")
"""Of a frontal radiograph as displayed: rows run to the patient's left, columns to the feet."""
OTHER_VIEWS = (
    "LATERAL", "LAT", "LL", "RL", "LLD", "RLD", "LLO", "RLO", "OBLIQUE", "OBL", "DECUBITUS", "LORDOTIC", "SEITLICH",
    "SEITL", "PROFIL", "PERFIL", "PROFILO", "LATERALE", "LATERAAL", "SAGITTAL", "COSTAL", "OBLICUA", "OBLIQUA",
)  # fmt: skip
LEAST_WORD = 6
"""Letters of a view in a file's name; shorter ones such as ``RL`` may be anything there."""
PARTS = frozenset(("BONE", "BONES", "SUBTRACTION", "SUBTRACTED", "SUPPRESSED", "SUPPRESSION", "ESUB", "SOFTTISSUE"))
"""Words of pictures computed from a radiograph: bones or soft tissue alone, of dual energy or by a program."""
TEXTS = ("SeriesDescription", "ProtocolName", "AcquisitionDeviceProcessingDescription")
"""Free texts in which a view is sought where no tag of its own gives one."""
TEXTS_OF_STUDY = ("PerformedProcedureStepDescription", "RequestedProcedureDescription", "StudyDescription")
"""Further ones in which a part of the body is sought; a study may hold several views."""

_MAKERS = {
    "agfa": "agfa", "canon": "canon", "carestream": "carestream", "kodak": "carestream", "eastman": "carestream",
    "fuji": "fujifilm", "fujifilm": "fujifilm", "ge": "ge", "general": "ge", "hologic": "hologic", "konica": "konica",
    "philips": "philips", "samsung": "samsung", "shimadzu": "shimadzu", "siemens": "siemens", "toshiba": "canon",
}  # fmt: skip
"""First word of the maker's name to one spelling: the same maker signs in several ways."""
_LONGEST = 64
"""Characters of a maker that is not known: LO, the header's own limit."""
_COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
_OF_CLASS = {_COMPUTED_RADIOGRAPHY: "CR", "1.2.840.10008.5.1.4.1.1.1.1": "DX"}


@dataclass(frozen=True)
class Objection:
    """Refusal of a file that is none: the check, as the manifest's ``accept`` names it, and the reason."""

    check: str
    says: str


_NUMBERS = ("StudyInstanceUID", "SeriesInstanceUID", "AccessionNumber")
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
WITHOUT_PATIENT = "synnodtest"
"""PatientID of the DICOM files that synnodtest writes: of no patient, rather than all of the same one."""


@dataclass(frozen=True)
class DicomFacts:
    """Header facts that a set needs: patient and study (to be pseudonymised by the caller).

    ``numbers`` are those by which a table may call its study: study, series, accession.
    ``strata`` are view, sex and age in years, those of them that it tells.
    ``acquisition`` says how it was taken (:func:`acquisition_of`).
    ``spaced`` says whether a tag gives the size of a pixel.
    ``objections`` say why the file is no frontal chest radiograph; none if it is one.
    """

    patient: str
    study: str
    numbers: tuple[str, ...]
    strata: Mapping[str, str]
    acquisition: Mapping[str, str]
    spaced: bool
    objections: tuple[Objection, ...]

    def foreign(self, accept: frozenset[str]) -> Objection | None:
        """Return the first objection that ``accept`` does not waive."""
        return next((one for one in self.objections if one.check not in accept), None)


def facts_of(data: Any) -> DicomFacts:
    """Return the facts of a header (a pydicom data set)."""
    patient = _text(data, "PatientID")
    strata = {"view": _text(data, "ViewPosition"), "sex": _text(data, "PatientSex")}
    return DicomFacts(
        patient="" if patient == WITHOUT_PATIENT else patient,
        study=_text(data, "StudyInstanceUID"),
        numbers=tuple(number for name in _NUMBERS if (number := _text(data, name))),
        strata=_told({**strata, "age": years(_text(data, "PatientAge"))}),
        acquisition=acquisition_of(data),
        spaced=any(data.get(name) for name in SPACINGS),
        objections=_objections_to(data),
    )


def _objections_to(data: Any) -> tuple[Objection, ...]:
    """Return why a data set is no frontal chest radiograph for presentation."""
    if not data.get("Rows") or not data.get("Columns"):
        return (Objection("image", f"no image (modality {_text(data, 'Modality')})"),)
    if reason := _several_or_colour(data):
        return (Objection("image", reason),)
    return tuple(Objection(check, reason) for check, judge in _JUDGES if (reason := judge(data)))


def _several_or_colour(data: Any) -> str:
    """Return why a picture is not one grey frame, as a report that was captured from a screen, or a cine loop."""
    kind, frames = _text(data, "PhotometricInterpretation").upper(), _text(data, "NumberOfFrames")
    if kind and not kind.startswith("MONOCHROME"):
        return f"a picture in colour ({kind})"
    return "a picture of several frames" if frames.isdecimal() and int(frames) > 1 else ""


def _told(texts: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text for name, text in texts.items() if text}


def noted_of(data: Any) -> list[str]:
    """Return what is worth a note in a header that raises no objection."""
    modality = _modality_of(data)
    words = {word for name in ("ImageType", *TEXTS) for word in _words(str(data.get(name) or ""))}
    parts = [f"a part of a radiograph by its header ({', '.join(sorted(words & PARTS))})"] if words & PARTS else []
    if modality in MODALITIES:
        return parts
    return [*parts, f"modality {modality}: its pixels may have been processed for a screen"]


def _text(data: Any, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value).strip()


def _modality_of(data: Any) -> str:
    """Return the modality; that of the file's SOP class where the data set tells neither, as in VinDr-CXR."""
    told = _text(data, "Modality").upper()
    if told or _text(data, "SOPClassUID"):
        return told
    return _OF_CLASS.get(str(data.file_meta.get("MediaStorageSOPClassUID")), "")


def _modality(data: Any) -> str:
    modality, sop = _modality_of(data), _text(data, "SOPClassUID")
    if modality not in (*MODALITIES, *NOTED_MODALITIES):
        return f"modality {modality or '(none)'}"
    if sop and sop not in SOP_CLASSES and sop != _PROCESSING:
        return f"SOP class {getattr(data.get('SOPClassUID'), 'name', sop)}"
    return ""


def _body_part(data: Any) -> str:
    body_part = _text(data, "BodyPartExamined") or _meaning(data, "AnatomicRegionSequence")[1]
    words = _words(body_part)
    if words:
        return "" if any(word in BODY_PARTS for word in words) else f"body part {body_part}"
    for text in (_text(data, name) for name in (*TEXTS, *TEXTS_OF_STUDY)):
        words = _words(text)
        if any(word in (*BODY_PARTS, "CXR") for word in words):
            return ""
        if any(word in OTHER_PARTS for word in words):
            return f"body part {text!r}"
    return ""


def _intent(data: Any) -> str:
    intent = _text(data, "PresentationIntentType").upper()
    if _text(data, "SOPClassUID") == _PROCESSING:
        return "presentation intent FOR PROCESSING"
    return f"presentation intent {intent}" if intent and intent not in INTENTS else ""


_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"


def _view(data: Any) -> str:
    position = _text(data, "ViewPosition")
    if position and not _is_frontal(position):
        return f"view {position.upper()}"
    code, meaning = _meaning(data, "ViewCodeSequence")
    known = code in FRONTAL_CODES and not tells_other_view(meaning)
    if (code or meaning) and not (known or _is_frontal(meaning)):
        return f"view {meaning or code}"
    if position or code or meaning:
        return ""
    return next((f"view {text!r}" for name in TEXTS if (text := _text(data, name)) and tells_other_view(text)), "")


def _orientation(data: Any) -> str:
    value = data.get("PatientOrientation")
    ends = [str(one).strip().upper() for one in (value if value is not None and not isinstance(value, str) else [])]
    orientation = "\\".join(ends) or _text(data, "PatientOrientation").upper()
    if not orientation:
        return ""
    if len(ends) != 2 or not all(ends):
        return f"patient orientation {orientation}"
    if ends[0][0] in "AP" or ends[1][0] in "AP":
        return f"patient orientation {orientation}: a lateral view"
    return "" if (ends[0][0], ends[1][0]) == ORIENTATION else f"patient orientation {orientation}: mirrored or turned"


_JUDGES: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("modality", _modality),
    ("body_part", _body_part),
    ("view", _view),
    ("intent", _intent),
    ("orientation", _orientation),
)


def _meaning(data: Any, sequence: str) -> tuple[str, str]:
    """Return code and meaning of the first item of a sequence of codes."""
    items = data.get(sequence)
    return (_text(items[0], "CodeValue"), _text(items[0], "CodeMeaning")) if items else ("", "")


def _words(text: str) -> list[str]:
    """Return the words in upper case, without accents; ``postero-anterior`` is one word."""
    joined = re.sub(r"(?i)(antero|postero)[-_ ]+(posterior|anterior)", r"\1\2", without_accents(text))
    return [word for word in re.split(r"[^A-Z0-9]+", joined.upper()) if word]


def _is_frontal(text: str) -> bool:
    words = _words(text)
    known = all(word in (*FRONTAL, *POSTURES) for word in words)
    return known and any(word in FRONTAL for word in words)


def tells_other_view(text: str) -> bool:
    """Return whether a free text, such as a manifest's view, names another view than a frontal one."""
    words = _words(text)
    return any(word in OTHER_VIEWS for word in words) or words in (["L"], ["R"])


def other_view_in_name(stem: str) -> str:
    """Return the word of a file's name that names another view than a frontal one, spelt out; else ""."""
    return next((word.lower() for word in _words(stem) if word in OTHER_VIEWS and len(word) >= LEAST_WORD), "")


def acquisition_of(data: Any) -> Mapping[str, str]:
    """Return what a header tells, as text by name; what it does not tell is not there.

    Names: ``manufacturer``, ``kvp``, ``exposure_mas``, ``detector_type``, ``pixel_spacing_mm``.
    """
    return _told(
        {
            "manufacturer": _maker(data),
            "kvp": _number(data.get("KVP")),
            "exposure_mas": _number(data.get("ExposureInuAs"), 1e-3) or _number(data.get("Exposure")),
            "detector_type": _detector(data),
            "pixel_spacing_mm": _spacing(data),
        }
    )


def _maker(data: Any) -> str:
    name = " ".join(_text(data, "Manufacturer").split()).casefold()[:_LONGEST]
    words = name.replace("-", " ").replace(",", " ").split()
    return _MAKERS.get(words[0], name) if words else ""


def _detector(data: Any) -> str:
    """Return the detector's type in small letters; computed radiography reads storage phosphors."""
    kind = _text(data, "DetectorType").casefold()
    return kind or ("storage" if _text(data, "SOPClassUID") == _COMPUTED_RADIOGRAPHY else "")


def _spacing(data: Any) -> str:
    pair = data.get("ImagerPixelSpacing") or data.get("PixelSpacing")
    single = pair is None or isinstance(pair, (str, int, float))
    return "" if single or not len(pair) else _number(pair[0])


def _number(value: Any, factor: float = 1.0) -> str:
    """Return a positive number as text; empty for anything else."""
    try:
        number = float(value) * factor
    except (TypeError, ValueError):
        return ""
    return f"{number:.6g}" if math.isfinite(number) and number > 0 else ""
