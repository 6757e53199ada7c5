cwlVersion: v1.2
class: CommandLineTool
label: Put them together
doc: Writes all flares, the strongest first, and draws the day.

hints:
  DockerRequirement:
    dockerPull: datalabs/jupyterlab:1.0.0

requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: report.py
        entry:
          $include: report.py

baseCommand: [python, report.py]

inputs:
  minutes:
    type: File
    inputBinding:
      position: 1
  measured:
    type: File[]
    inputBinding:
      position: 2

outputs:
  flares:
    type: File
    outputBinding:
      glob: flares.json
  picture:
    type: File
    outputBinding:
      glob: flares.png
