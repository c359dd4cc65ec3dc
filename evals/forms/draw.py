"""Draws the three forms. They are built as the public ones are, each in another way; every word is ours.

    python -m evals.forms.draw        # writes determination.pdf, state.pdf and one_page.pdf beside this file

determination   a coverage determination, after the model of Medicare's plans: labels before fields, fields with names
state           a state's standard form: cells with small labels inside, fields named Text1, Text2, …, combs, choices
one_page        a pharmacy benefit manager's one page: flat, nothing but lines and squares to write on
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

FOLDER = Path(__file__).parent
LEFT, RIGHT, LINE = 40.0, 572.0, 21.0
Cell = tuple[str, str, float]  # label, name, width


class Drawing:
    """A form while it is drawn, from the top of its page downwards."""

    def __init__(self, name: str, title: str, fields: bool = True) -> None:
        rl_config.invariant = 1
        self.pen: Any = Canvas(str(FOLDER / f"{name}.pdf"), pagesize=(612, 792), invariant=1)
        self.pen.setTitle(title)
        self.fields = fields
        self.number = 0
        self.y = 752.0

    def page(self) -> None:
        self.pen.showPage()
        self.y = 752.0

    def close(self) -> None:
        self.pen.save()

    def say(self, text: str, size: float = 9, bold: bool = False, gap: float = 4) -> None:
        self.pen.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.pen.drawString(LEFT, self.y - size, text)
        self.y -= size + gap

    def head(self, text: str) -> None:
        self.y -= 4
        self.pen.setFillGray(0.88)
        self.pen.rect(LEFT, self.y - 15, RIGHT - LEFT, 15, stroke=0, fill=1)
        self.pen.setFillGray(0)
        self.pen.setFont("Helvetica-Bold", 10)
        self.pen.drawString(LEFT + 4, self.y - 11, text)
        self.y -= 20

    # --- label, then field, on one line -------------------------------------------------------------------

    def line(self, *cells: Cell) -> None:
        """Cells side by side: a label and behind it a field, or on a flat form a rule."""
        x = LEFT
        for label, name, width in cells:
            self.pen.setFont("Helvetica", 9)
            self.pen.drawString(x, self.y - 13, label)
            from_label = self.pen.stringWidth(label, "Helvetica", 9) + 4
            self.blank(name, x + from_label, self.y - 17, width - from_label - 8, 15)
            x += width
        self.y -= LINE

    def area(self, label: str, name: str, height: float) -> None:
        """A label, and below it a box for several lines."""
        self.say(label, 9, gap=2)
        if not self.fields:
            self.pen.setLineWidth(0.6)
            self.pen.rect(LEFT, self.y - height, RIGHT - LEFT, height)
        else:
            self.blank(name, LEFT, self.y - height, RIGHT - LEFT, height, flags="multiline")
        self.y -= height + 6

    def cells(self, *cells: Cell, height: float = 27, comb: int = 0, flags: str = "") -> None:
        """Boxes side by side, each with its label small inside at the top."""
        x = LEFT
        for label, name, width in cells:
            self.pen.setLineWidth(0.6)
            self.pen.rect(x, self.y - height, width, height)
            self.pen.setFont("Helvetica", 7)
            self.pen.drawString(x + 3, self.y - 8, label)
            self.blank(name, x + 2, self.y - height + 1.5, width - 4, height - 12, comb=comb, flags=flags)
            x += width
        self.y -= height

    def table(self, heads: Sequence[tuple[str, float]], rows: int, prefix: str) -> None:
        x = LEFT
        self.pen.setFont("Helvetica-Bold", 8)
        for label, width in heads:
            self.pen.rect(x, self.y - 14, width, 14)
            self.pen.drawString(x + 3, self.y - 10, label)
            x += width
        self.y -= 14
        for row in range(1, rows + 1):
            x = LEFT
            for column, (_, width) in enumerate(heads):
                self.pen.rect(x, self.y - 17, width, 17)
                if self.fields:
                    self.blank(
                        f"{prefix}{row}{chr(97 + column)}" if prefix else "",
                        x + 1,
                        self.y - 16,
                        width - 2,
                        15,
                    )
                x += width
            self.y -= 17
        self.y -= 4

    # --- what is marked -----------------------------------------------------------------------------------

    def ticks(self, lead: str, *options: tuple[str, str], apart: float = 0) -> None:
        """A question and its boxes on one line, or, without a question, one box to a line."""
        x = LEFT
        if lead:
            self.pen.setFont("Helvetica", 9)
            self.pen.drawString(x, self.y - 12, lead)
            x += self.pen.stringWidth(lead, "Helvetica", 9) + 12
        for label, name in options:
            self.tick(name, x, self.y - 14)
            self.pen.setFont("Helvetica", 9)
            self.pen.drawString(x + 16, self.y - 12, label)
            x += max(apart, self.pen.stringWidth(label, "Helvetica", 9) + 34)
        self.y -= 18

    def tick(self, name: str, x: float, y: float) -> None:
        if not self.fields:
            self.pen.setLineWidth(0.8)
            self.pen.rect(x, y, 10, 10)
            return
        self.pen.acroForm.checkbox(
            name=self._named(name, "Check Box"),
            x=x,
            y=y,
            size=11,
            borderWidth=0.8,
            tooltip="",
            forceBorder=True,
        )

    def radio(self, lead: str, name: str, *options: tuple[str, str]) -> None:
        self.pen.setFont("Helvetica", 9)
        self.pen.drawString(LEFT, self.y - 12, lead)
        x = LEFT + self.pen.stringWidth(lead, "Helvetica", 9) + 12
        for label, state in options:
            self.pen.acroForm.radio(
                name=name, value=state, x=x, y=self.y - 14, size=12, borderWidth=0.8, selected=False
            )
            self.pen.drawString(x + 16, self.y - 12, label)
            x += self.pen.stringWidth(label, "Helvetica", 9) + 34
        self.y -= 20

    def choice(self, label: str, name: str, options: Sequence[str], width: float) -> None:
        self.pen.setFont("Helvetica", 9)
        self.pen.drawString(LEFT, self.y - 12, label)
        x = LEFT + self.pen.stringWidth(label, "Helvetica", 9) + 6
        self.pen.acroForm.choice(
            name=name, value=" ", options=[" ", *options], x=x, y=self.y - 17, width=width, height=16,
            fontSize=9, borderWidth=0.5, fieldFlags="combo",
        )  # fmt: skip
        self.y -= LINE

    def blank(
        self, name: str, x: float, y: float, width: float, height: float, comb: int = 0, flags: str = ""
    ) -> None:
        if not self.fields:
            self.pen.setLineWidth(0.6)
            self.pen.line(x, y + 2, x + width, y + 2)
            return
        self.pen.acroForm.textfield(
            name=self._named(name, "Text"), x=x, y=y, width=width, height=height, fontSize=9, borderWidth=0.4,
            fieldFlags="comb" if comb else flags, maxlen=comb or 1000, tooltip="",
        )  # fmt: skip

    def _named(self, name: str, kind: str) -> str:
        if name:
            return name
        self.number += 1
        return f"{kind}{self.number}"


def determination() -> None:
    d = Drawing("determination", "Request for a drug coverage determination")
    d.say("Request for a Prescription Drug Coverage Determination", 14, bold=True)
    d.say("For members of a Medicare drug plan. The plan answers within 72 hours, or 24 hours if expedited.")
    d.head("Enrollee's information")
    d.line(("Enrollee's name", "EnrolleeName", 330), ("Date of birth", "EnrolleeDOB", 202))
    d.line(("Enrollee's address", "EnrolleeAddress", 532))
    d.line(("City", "EnrolleeCity", 230), ("State", "EnrolleeState", 120), ("ZIP code", "EnrolleeZip", 182))
    d.line(("Phone", "EnrolleePhone", 230), ("Enrollee's plan ID number", "EnrolleeID", 302))
    d.head("Complete only if the person asking is neither the enrollee nor the prescriber")
    d.line(("Requestor's name", "RequestorName", 532))
    d.line(("Requestor's relationship to the enrollee", "RequestorRelation", 532))
    d.line(("Requestor's address", "RequestorAddress", 532))
    d.line(("Requestor's phone", "RequestorPhone", 230))
    d.head("Name of the drug that is asked for")
    d.line(
        ("Name of drug", "DrugName", 240),
        ("Strength", "DrugStrength", 112),
        ("Quantity per month", "DrugQty", 180),
    )
    d.head("Type of coverage determination request")
    for label, name in (
        (
            "I need a drug that is not on the plan's list of covered drugs (formulary exception)",
            "TypeFormulary",
        ),
        ("I ask for prior authorization of the drug that my prescriber has prescribed", "TypePA"),
        ("I ask to be spared the requirement to try another drug first (step therapy exception)", "TypeStep"),
        ("I ask for more than the plan's limit on the number of units (quantity exception)", "TypeQuantity"),
        (
            "The plan asks a higher copayment than for another drug that treats my condition (tiering)",
            "TypeTier",
        ),
    ):
        d.ticks("", (label, name))
    d.area("Additional information we should consider", "AdditionalInformation", 44)
    d.head("Important: expedited decisions")
    d.ticks("", ("Check this box if waiting 72 hours could seriously harm the enrollee's health", "Expedite"))
    d.line(("Signature of the person asking", "Signature", 372), ("Date of request", "RequestDate", 160))
    d.page()
    d.say("Supporting information, completed by the prescriber", 12, bold=True)
    d.head("Prescriber's information")
    d.line(("Name", "PrescriberName", 330), ("NPI", "PrescriberNPI", 202))
    d.line(("Address", "PrescriberAddress", 532))
    d.line(("Office phone", "PrescriberPhone", 266), ("Fax", "PrescriberFax", 266))
    d.line(("Office contact person", "PrescriberContact", 532))
    d.line(("Prescriber's signature", "PrescriberSignature", 372), ("Date", "PrescriberDate", 160))
    d.head("Diagnosis and medical information")
    d.line(("Medication", "MedName", 250), ("Strength and route of administration", "MedStrength", 282))
    d.line(("Frequency (directions)", "MedSig", 532))
    d.line(
        ("Date therapy started", "MedStart", 190),
        ("Expected length of therapy", "MedLength", 210),
        ("Quantity", "MedQty", 132),
    )
    d.line(("Height/Weight", "HeightWeight", 200), ("Drug allergies", "Allergies", 332))
    d.table((("Diagnosis", 382), ("ICD-10 code(s)", 150)), 3, "dx")
    d.head("Drug history for the treatment of this condition")
    d.table(
        (("Drugs tried", 120), ("Dates of drug trials", 142), ("Results of previous drug trials (failure)", 270)),
        4, "hx",
    )  # fmt: skip
    d.area("What is the enrollee's current drug regimen for the condition?", "CurrentRegimen", 40)
    d.head("Drug safety")
    d.ticks("Any contraindication to the requested drug?", ("Yes", "SafetyYes"), ("No", "SafetyNo"))
    d.head("Rationale for the request")
    d.area("Required explanation (rationale)", "Rationale", 96)
    d.close()


def state() -> None:
    d = Drawing("state", "Standard prior authorization request form for prescription drug benefits")
    d.say("STANDARD PRIOR AUTHORIZATION REQUEST FORM FOR PRESCRIPTION DRUG BENEFITS", 11, bold=True)
    d.say(
        "Accepted by every issuer in this state. Send it to the issuer, not to the department. * is required.",
        8,
    )
    d.head("SECTION I - SUBMISSION")
    d.cells(("Issuer name", "", 200), ("Phone", "", 110), ("Fax", "", 110), ("Date", "", 112))
    d.head("SECTION II - REVIEW")
    d.radio("Review type:", "Group1", ("Non-urgent (standard)", "0"), ("Urgent (expedited)", "1"))
    d.head("SECTION III - PATIENT INFORMATION")
    d.cells(("Name *", "", 252), ("Phone", "", 140), ("DOB (MM/DD/YYYY) *", "", 140))
    d.choice("Sex", "Dropdown1", ("Male", "Female", "Unknown"), 90)
    d.cells(("Street address", "", 232), ("City", "", 140), ("State", "", 60), ("ZIP", "", 100))
    d.cells(("Member or Medicaid ID # *", "", 250), comb=14)
    d.cells(("Group #", "", 140), ("BIN #", "", 90), ("PCN", "", 120), ("Rx ID #", "", 182))
    d.head("SECTION IV - PRESCRIBER INFORMATION")
    d.cells(("Name", "", 212), ("NPI #", "", 110), ("Specialty", "", 210))
    d.cells(("Address", "", 532))
    d.cells(
        ("Office contact name", "", 202), ("Contact phone", "", 110), ("Phone", "", 110), ("Fax", "", 110)
    )
    d.head("SECTION V - PRESCRIPTION DRUG INFORMATION")
    d.cells(
        ("Requested drug name *", "", 272), ("Strength", "", 90), ("Route", "", 90), ("Quantity *", "", 80)
    )
    d.cells(("Days' supply", "", 90), ("Expected therapy duration", "", 150), ("Directions for use", "", 292))
    d.ticks(
        "To the best of your knowledge this medication is:",
        ("New therapy", ""),
        ("Continuation of therapy", ""),
    )
    d.cells(("If continuing, date therapy was initiated", "", 200), ("NDC", "", 150), ("Refills *", "", 80))
    d.page()
    d.head("SECTION VI - PATIENT CLINICAL INFORMATION")
    d.cells(("Patient's diagnosis related to this request", "", 412), ("ICD code", "", 120))
    d.cells(("Height", "", 90), ("Weight", "", 90), ("Drug allergies", "", 352))
    d.table(
        (
            ("Drugs previously tried for this diagnosis", 170),
            ("Dosage", 120),
            ("Dates", 132),
            ("Response", 110),
        ),
        3,
        "",
    )
    d.table((("Relevant lab test", 252), ("Date", 140), ("Value", 140)), 3, "")
    d.cells(("Justification (attach pages as needed)", "", 532), height=54, flags="multiline")
    d.line(("Prescriber's signature", "", 372), ("Date signed", "", 160))
    d.close()


def one_page() -> None:
    d = Drawing("one_page", "Prior authorization fax form", fields=False)
    d.say("PRIOR AUTHORIZATION FAX FORM", 15, bold=True)
    d.say("Complete every line, sign, and fax this page. Incomplete forms are returned.")
    d.head("Member")
    d.line(("Member name:", "", 320), ("Birth date:", "", 212))
    d.line(("Member ID:", "", 266), ("Member phone:", "", 266))
    d.ticks("Gender:", ("F", ""), ("M", ""))
    d.head("Physician")
    d.line(("Physician name:", "", 320), ("NPI:", "", 212))
    d.line(("Specialty:", "", 180), ("Telephone:", "", 176), ("Secure fax:", "", 176))
    d.line(("Practice address:", "", 532))
    d.line(("Form completed by:", "", 320))
    d.head("Medication")
    d.line(("Drug and strength:", "", 330), ("Quantity:", "", 110), ("Day supply:", "", 92))
    d.line(("Directions:", "", 532))
    d.line(("Diagnosis:", "", 362), ("ICD-10:", "", 170))
    d.ticks("This request is:", ("Initial", ""), ("Continuing therapy", ""), ("Renewal", ""))
    d.ticks("Handling:", ("Standard", ""), ("Urgent", ""))
    d.head("Clinical information")
    d.line(("Most recent A1C:", "", 176), ("Date of A1C:", "", 160), ("BMI:", "", 98), ("Weight:", "", 98))
    d.area("Medications tried and failed, with dates and outcome:", "", 90)
    d.area("Medical necessity, in the prescriber's words:", "", 110)
    d.line(("Physician signature:", "", 372), ("Date:", "", 160))
    d.close()


if __name__ == "__main__":
    determination()
    state()
    one_page()
