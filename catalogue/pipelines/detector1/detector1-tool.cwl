cwlVersion: v1.2
class: CommandLineTool
label: strun calwebb_detector1
doc: Corrects the raw exposures of one JWST detector and turns their groups into count rates.

hints:
  DockerRequirement:
    dockerPull: software/jwst:1.0
  ResourceRequirement:
    ramMin: 4096
  NetworkAccess:
    networkAccess: true

requirements:
  InlineJavascriptRequirement: {}
  EnvVarRequirement:
    envDef:
      CRDS_PATH: $(inputs.crds_path)
      CRDS_SERVER_URL: https://jwst-crds.stsci.edu

baseCommand: strun

arguments:
  - position: 1
    valueFrom: calwebb_detector1
  - position: 3
    prefix: --output_dir
    valueFrom: $(runtime.outdir)

inputs:
  exposure:
    type: File
    label: Exposure
    doc: An uncalibrated exposure (_uncal.fits).
    format: http://edamontology.org/format_2333
    inputBinding:
      position: 2
  crds_path:
    type: string
    label: Reference files
    doc: The folder in which CRDS keeps its reference files.
    default: /media/user/crds

outputs:
  rate:
    type: File
    label: Product
    outputBinding:
      glob: "*_rate.fits"
