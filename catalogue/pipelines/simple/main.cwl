cwlVersion: v1.2
class: Workflow
label: Simple
doc: Says what it is told. One step, one input, one output.

inputs:
  message:
    type: string
    label: Message
    doc: What is written into the output.
    default: Hello from Spacelab

outputs:
  said:
    type: File
    label: What was said
    outputSource: say/said

steps:
  say:
    run: echo.cwl
    in:
      message: message
    out: [said]
