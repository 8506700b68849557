"""Reports that come by mail: complaints, documents of other formats, and what is neither."""
import base64
import io
import json
import mailbox
import zipfile
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

XARF = {
    "Version": "3",
    "ReporterInfo": {"ReporterOrg": "A desk", "ReporterOrgDomain": "desk.example", "ReporterOrgEmail": "a@desk.example"},
    "Disclosure": True,
    "Report": {"ReportClass": "Activity", "ReportType": "LoginAttack", "Date": "2026-11-01T10:00:00Z",
               "SourceIp": "5.44.1.7", "SourcePort": 40123, "DestinationPort": 22},
}


def feedback(source, kind="abuse"):
    part = MIMEBase("message", "feedback-report")
    part.set_payload(f"Feedback-Type: {kind}\nUser-Agent: test/1\nVersion: 1\nSource-IP: {source}\n"
                     "Arrival-Date: Sun, 01 Nov 2026 11:00:00 +0100\n")
    return part


def complaint(*parts):
    mail = MIMEMultipart("report", report_type="feedback-report")
    mail["From"] = "Meldestelle für Spam <desk@desk.example>"
    mail["Date"] = "Sun, 01 Nov 2026 10:05:00 +0000"
    mail["Subject"] = "Beschwerde über 5.44.1.1"
    mail.attach(MIMEText("Ein Bericht über Spam.", "plain", "utf-8"))
    for part in parts:
        mail.attach(part)
    return mail


def spam():
    mail = EmailMessage()
    mail["Received"] = "from spam.example (unknown [5.44.1.3]) by mx.desk.example; Sun, 01 Nov 2026 10:00:00 +0000"
    mail["Received"] = "from elsewhere.example (unknown [5.45.1.1]) by spam.example; Sun, 01 Nov 2026 09:00:00 +0000"
    mail["Subject"] = "Gewinn für Sie"
    mail["To"] = "victim@desk.example"
    mail.set_content("Kaufen Sie.")
    return MIMEMessage(mail)


def bounce():
    mail = EmailMessage()
    mail["From"] = "MAILER-DAEMON@mx.example"
    mail["To"] = "desk@desk.example"
    mail["Return-Path"] = "<>"
    mail.set_content("Not delivered.\n\nFrom here on nothing.\n")
    return mail


def xarf():
    part = MIMEBase("application", "json", name="xarf.json")
    part.set_payload(base64.encodebytes(json.dumps(XARF).encode()).decode())
    part["Content-Transfer-Encoding"] = "base64"
    return complaint(feedback("5.44.1.9", "xarf"), part)


def test_an_mbox_is_read_mail_by_mail(node):
    path = node.dir.parent / "inbox"
    box = mailbox.mbox(path)
    for mail in (complaint(feedback("5.44.1.1")), complaint(feedback("5.44.1.2", "fraud")), bounce(),
                 complaint(spam()), xarf(), complaint(feedback("5.44.1.4", "not-spam"))):
        box.add(mail)
    box.close()
    result = node.json("route", path)[-1]
    assert (result["events"], result["rejected"]) == (4, 2), result
    with open(result["rejects"]) as f:
        assert [json.loads(line)["code"] for line in f] == ["bounce", "no-complaint"]
    again = node.json("route", path)[-1]
    assert again["duplicates"] == 4, again
    node.audit()


def test_evidence_of_a_complaint_says_what_it_rests_on(node):
    path = node.dir.parent / "complaint.eml"
    path.write_bytes(complaint(spam()).as_bytes())
    result = node.json("route", path)[-1]
    assert (result["events"], result["rejected"]) == (1, 0), result
    notice = node.json("notice", "list")[0]
    shown = node.text("notice", "show", notice["id"], "--as", "csv")
    assert "5.44.1.3" in shown and "received" in shown
    assert "5.45.1.1" not in shown.splitlines()[0]
    assert "victim@" not in shown


def test_an_attached_table_is_read_row_by_row(node):
    table = ("timestamp,ip,port,tag,new_column\n" +
             "".join(f'"2026-11-01 10:00:0{n}",5.44.1.{n},22,ssh,"a ""{n}"""\n' for n in range(1, 6)))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("2026-11-01-scan_ssh-example.csv", table)
    mail = EmailMessage()
    mail["From"] = "reports@desk.example"
    mail["Date"] = "Sun, 01 Nov 2026 12:00:00 +0000"
    mail.set_content("Your report.")
    mail.add_attachment(archive.getvalue(), "application", "zip", filename="report.zip")
    path = node.dir.parent / "report.eml"
    path.write_bytes(mail.as_bytes())
    result = node.json("route", path)[-1]
    assert (result["events"], result["rejected"]) == (5, 0), result
    (notice,) = [n for n in node.json("notice", "list") if "potentially-unwanted-accessible" in json.dumps(n)]
    shown = node.text("notice", "show", notice["id"], "--as", "csv")
    assert "new_column" in shown and "5.44.1.5" in shown
