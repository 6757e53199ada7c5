cwlVersion: v1.2
class: Workflow
label: Hello_PIPEMAN
doc: |
  Reads a name from a file, makes a greeting of it, and writes that in large letters.
  The first step is the pipeline's own; the second is the catalogue's step figlet.

requirements:
  InlineJavascriptRequirement: {}

inputs:
  name:
    type: File
    label: A name
    doc: A text file whose first line is a name. Without a file the pipeman is greeted.
    default:
      class: File
      basename: name.txt
      contents: PIPEMAN

outputs:
  letters:
    type: File
    label: The greeting in large letters
    outputSource: draw/letters

steps:
  greet:
    label: Make the greeting
    run: greet.cwl
    in:
      name: name
    out: [greeting]
  draw:
    label: Draw it
    run: catalogue/figlet/1.0.cwl
    in:
      text: greet/greeting
    out: [letters]
