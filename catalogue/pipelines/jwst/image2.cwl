cwlVersion: v1.2
class: CommandLineTool
label: strun calwebb_image2
doc: Calibrates a JWST count-rate image with world coordinates, flat field and flux.

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
    valueFrom: calwebb_image2
  - position: 3
    prefix: --output_dir
    valueFrom: $(runtime.outdir)

inputs:
  exposure:
    type: File
    label: Exposure
    doc: A count-rate image (_rate.fits).
    format: http://edamontology.org/format_2333
    inputBinding:
      position: 2
  crds_path:
    type: string
    label: Reference files
    doc: The folder in which CRDS keeps its reference files.
    default: /media/user/crds

outputs:
  cal:
    type: File
    label: Product
    outputBinding:
      glob: "*_cal.fits"
