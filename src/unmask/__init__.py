"""unmask: were the faces in this video manipulated?"""
