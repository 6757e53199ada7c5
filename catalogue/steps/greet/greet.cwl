cwlVersion: v1.2
class: ExpressionTool
label: Make a greeting
doc: Puts “Hello ” before the first line of a file.

requirements:
  InlineJavascriptRequirement: {}

inputs:
  name:
    type: File
    loadContents: true

outputs:
  greeting:
    type: string

expression: |
  ${
    var first = inputs.name.contents.split("\n")[0].trim();
    return {"greeting": "Hello " + first};
  }
