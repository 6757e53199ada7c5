cwlVersion: v1.2
class: CommandLineTool
label: Measure a flare
doc: Gives a flare its class, peak and fluence.

hints:
  DockerRequirement:
    dockerPull: datalabs/jupyterlab:1.0.0

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: measure.py
        entry:
          $include: measure.py

baseCommand: [python, measure.py]

inputs:
  minutes:
    type: File
    inputBinding:
      position: 1
  event:
    type: File
    inputBinding:
      position: 2

outputs:
  measured:
    type: File
    outputBinding:
      glob: "measured-*.json"
