# Loaded once by a parent process, so that what loading a document needs is in memory before the first run.
cwlVersion: v1.2
class: Workflow
requirements:
  ScatterFeatureRequirement: {}
  SubworkflowFeatureRequirement: {}
  StepInputExpressionRequirement: {}
inputs:
  texts: string[]
  file: File?
outputs:
  files: {type: "File[]", outputSource: say/file}
steps:
  say:
    scatter: text
    in: {text: texts, file: file}
    out: [file]
    run:
      class: CommandLineTool
      requirements:
        ResourceRequirement: {coresMin: 1}
        InitialWorkDirRequirement: {listing: [{entryname: a, entry: b}]}
        EnvVarRequirement: {envDef: {A: b}}
      baseCommand: [echo]
      inputs:
        text: {type: string, inputBinding: {position: 1}}
        file: {type: File?, secondaryFiles: [.idx?]}
      stdout: said.txt
      outputs:
        file: {type: stdout}
