print("accuracy 0.914")
