cwlVersion: v1.2
class: Workflow
label: timestamp
doc: Writes the time, waits, copies a text and writes the time again.

inputs:
  text:
    type: File
    label: A text
    doc: Stands between the two times.
  seconds:
    type: int
    label: Seconds
    doc: How long to wait.
    default: 5

outputs:
  stamped:
    type: File
    label: The text with the times
    outputSource: stamp/stamped

steps:
  stamp:
    label: Stamp the text
    run: stamp.cwl
    in:
      text: text
      seconds: seconds
    out: [stamped]
