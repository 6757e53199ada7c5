cwlVersion: v1.2
class: CommandLineTool
label: Find flares
doc: Finds where the flux rises for four minutes and how far each flare goes.

hints:
  DockerRequirement:
    dockerPull: datalabs/jupyterlab:1.0.0

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: detect.py
        entry:
          $include: detect.py

baseCommand: [python, detect.py]

inputs:
  minutes:
    type: File
    inputBinding:
      position: 1
  weakest:
    type: float
    inputBinding:
      position: 2

outputs:
  events:
    type: File[]
    outputBinding:
      glob: "flare-*.json"
