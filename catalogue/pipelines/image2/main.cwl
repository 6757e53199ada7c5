cwlVersion: v1.2
class: Workflow
label: Image2
doc: Calibrates a JWST count-rate image with world coordinates, flat field and flux.

inputs:
  exposure:
    type: File
    label: Exposure
    doc: A count-rate image (_rate.fits).
    format: http://edamontology.org/format_2333
  crds_path:
    type: string
    label: Reference files
    doc: The folder in which CRDS keeps its reference files.
    default: /media/user/crds

outputs:
  cal:
    type: File
    label: Product
    outputSource: process/cal

steps:
  process:
    label: Image2
    run: image2-tool.cwl
    in:
      exposure: exposure
      crds_path: crds_path
    out: [cal]
